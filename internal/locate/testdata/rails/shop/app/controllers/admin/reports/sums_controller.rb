class Admin::Reports::SumsController < ActionController::Base
  def index; end
end
