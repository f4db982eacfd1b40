class FilesController < ActionController::Base
  def raw; end
  def show; end
end
