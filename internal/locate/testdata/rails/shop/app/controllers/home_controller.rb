class HomeController < ActionController::Base
  def index; end
  def welcome; end
end
