class DownloadsController < ActionController::Base
  def pdf; end
  def show; end
end
